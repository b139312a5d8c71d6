"""`dmp-loadtest`: a population is seeded, load is put on, reports are compared, and others answer the same questions.

A subcommand is imported when it is asked for: each needs other libraries of the `load` group.
"""

from importlib import import_module

import click

_COMMANDS = {
    "compare": "loadtests.comparing",
    "peers": "loadtests.peers.command",
    "run": "loadtests.running",
    "seed": "loadtests.seeding",
    "seed-documents": "loadtests.seeding_documents",
}
"""The module in which each subcommand is called `command`."""


class _Subcommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Load on the DMP's authorization service and document vault, with every answer checked."""
