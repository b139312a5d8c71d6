"""Hosts on one machine: a network namespace each, joined by a bridge that nothing else is on. Needs root and iproute2.

Everything that a run makes bears its name, and the run holds that name in the kernel (an abstract socket) for as long
as it lives, however it ends: what bears a name that nobody holds was left by a run that was killed, and is swept away.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from tests.servers.errors import UnavailableError

RANGE = IPv4Network("198.18.0.0/15")
"""Set apart for tests of network devices between each other (RFC 2544, RFC 6890): no host of the world has one."""

SUBNET_BITS = 28
NAMED = re.compile(r"dmp[0-9a-f]{8}")
"""A run's bridge and folder. Its namespaces and cables add a few characters: the kernel takes 15."""

_NOBODY_LISTENS = 9
_SECONDS = 5.0
_CALL = f"import socket, sys; socket.create_connection((sys.argv[1], {_NOBODY_LISTENS}), {_SECONDS})"


@dataclass(frozen=True, slots=True)
class Network:
    """Hosts numbered from 1, which this process reaches at their addresses, and a folder for what they keep."""

    name: str
    subnet: IPv4Network
    hosts: range

    def address(self, host: int) -> str:
        return str(self.subnet[host + 1])

    def namespace(self, host: int) -> str:
        return f"{self.name}-{host}"

    def inside(self, host: int) -> list[str]:
        """What begins the command of a process that runs on this host. It is replaced by the command."""
        return [iproute2(), "netns", "exec", self.namespace(host)]

    @property
    def folder(self) -> Path:
        return Path(tempfile.gettempdir()) / self.name


@contextmanager
def network(hosts: int) -> Iterator[Network]:
    """So many hosts, which hear one another. Raises UnavailableError where that is not allowed: it is tried."""
    sweep()
    name = f"dmp{secrets.token_hex(4)}"
    with _held(name):
        made = Network(name, _unused_subnet(), range(1, hosts + 1))
        try:
            _connect(made)
            made.folder.mkdir(mode=0o700)
            _hold_connected(made)
            yield made
        finally:
            remove(name)


def sweep() -> None:
    """Remove what runs left that were killed. The bridge is made first and removed last, so it tells."""
    for name in filter(NAMED.fullmatch, _bridges()):
        with suppress(OSError), _held(name):
            remove(name)


def remove(name: str) -> None:
    """Whatever bears the name of this run, and whoever still runs there."""
    for namespace in namespaces(name):
        for process in _ip("netns", "pids", namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        _ip("netns", "delete", namespace)
    for _, cable in socket.if_nameindex():
        if cable.startswith(f"{name}v"):
            with suppress(UnavailableError):  # the kernel takes it away with its namespace, a little later
                _ip("link", "delete", cable)
    if name in _bridges():
        shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)
        _ip("link", "delete", name)


def namespaces(name: str) -> list[str]:
    """Those that a run made, and that are still there."""
    found: list[dict[str, Any]] = json.loads(_ip("-json", "netns", "list") or "[]")
    return sorted(each["name"] for each in found if each["name"].startswith(f"{name}-"))


@cache
def iproute2() -> str:
    """The program `ip`, installed now if that is possible here. Raises UnavailableError."""
    if sys.platform != "linux":
        raise UnavailableError("network namespaces are Linux's")
    if os.geteuid() != 0:
        raise UnavailableError("network namespaces are made by root alone")
    if not shutil.which("ip") and (installer := shutil.which("apt-get")):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "--yes", "--no-install-recommends", "iproute2"]):
            subprocess.run([installer, "--quiet", *step], check=False, capture_output=True, env=environment)
    if program := shutil.which("ip"):
        return program
    raise UnavailableError("there is no program `ip` here (iproute2), and it could not be installed")


@contextmanager
def _held(name: str) -> Iterator[None]:
    """Raises OSError if a run that lives holds it."""
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(f"\0{name}")
        yield


def _connect(made: Network) -> None:
    bridge, bits = made.name, made.subnet.prefixlen
    _ip("link", "add", bridge, "type", "bridge")
    _ip("address", "add", f"{made.subnet[1]}/{bits}", "dev", bridge)
    _ip("link", "set", bridge, "up")
    for host in made.hosts:
        namespace, cable = made.namespace(host), f"{bridge}v{host}"
        _ip("netns", "add", namespace)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _ip("link", "set", cable, "master", bridge, "up")
        _ip("-netns", namespace, "address", "add", f"{made.address(host)}/{bits}", "dev", "eth0")
        for interface in ("lo", "eth0"):
            _ip("-netns", namespace, "link", "set", interface, "up")


def _hold_connected(made: Network) -> None:
    """A call to a port where nobody listens is refused by the host itself. A firewall would have dropped it."""
    for host in made.hosts:
        to = made.address(host)
        for caller in ([], made.inside(made.hosts[host % len(made.hosts)])):
            told = subprocess.run(
                [*caller, sys.executable, "-c", _CALL, to], check=False, capture_output=True, text=True
            ).stderr
            if "ConnectionRefusedError" not in told:
                raise UnavailableError(f"hosts on one bridge do not hear one another here: {_last_line(told)}")


def _unused_subnet() -> IPv4Network:
    """One that no address and no route of this machine has to do with."""
    known = [
        IPv4Network(route["dst"])
        for route in json.loads(_ip("-json", "-4", "route", "show", "table", "all"))
        if route["dst"] != "default"
    ]
    for _ in range(100):
        first = int(RANGE[0]) + (secrets.randbelow(RANGE.num_addresses) >> (32 - SUBNET_BITS) << (32 - SUBNET_BITS))
        subnet = IPv4Network((first, SUBNET_BITS))
        if not any(subnet.overlaps(each) for each in known):
            return subnet
    raise UnavailableError(f"all of {RANGE} is in use on this machine")


def _bridges() -> list[str]:
    found: list[dict[str, Any]] = json.loads(_ip("-json", "link", "show", "type", "bridge") or "[]")
    return [each["ifname"] for each in found if each]


def _ip(*arguments: str) -> str:
    outcome = subprocess.run([iproute2(), *arguments], check=False, capture_output=True, text=True)
    if outcome.returncode:
        raise UnavailableError(f"`ip {' '.join(arguments[:2])}` is refused: {_last_line(outcome.stderr)}")
    return outcome.stdout


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]
