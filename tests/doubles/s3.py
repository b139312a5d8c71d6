"""An object store on the loopback interface that answers what a test tells it to."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `missing` bytes of the announced length never come; one that hangs does not answer at all."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/xml"
    missing: int = 0
    hangs: bool = False


def refusal(status: int, code: str) -> Answer:
    """An error as S3 words it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


@dataclass(slots=True)
class Script:
    """Answers by method and, where given, a part of the path; every request is noted.

    Of several answers each is given once, and the last for ever.
    """

    answers: dict[str, Answer | list[Answer]]
    requests: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: str) -> Answer:
        self.requests.append(request)
        found = next((answer for part, answer in self.answers.items() if part in request), refusal(501, "NotScripted"))
        if isinstance(found, Answer):
            return found
        return found.pop(0) if len(found) > 1 else found[0]


@contextmanager
def s3(answers: Mapping[str, Answer | list[Answer]]) -> Iterator[tuple[str, Script]]:
    """The store's address and what it has been asked, as `METHOD /path?query`, from which answers are chosen."""
    script = Script(dict(answers))

    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = script.answer(f"{self.command} {self.path}")
            if answer.hangs:
                script.ended.wait()
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body) + answer.missing))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            if answer.missing:
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815  # names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", script
    finally:
        script.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
