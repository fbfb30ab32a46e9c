"""`sam validate --lint` over several templates in one process: starting the SAM CLI takes as long as looking at a template.

    .venv/lint/bin/python infra/validate.py TEMPLATE …
"""

import sys

import click
from samcli.cli.main import cli


def validate(template):
    """Whether the SAM CLI is content; it says itself what is wrong."""
    try:
        cli(["validate", "--lint", "--template", template], prog_name="sam", standalone_mode=False)
    except click.ClickException as refusal:
        refusal.show()
        return False
    return True


if __name__ == "__main__":
    sys.exit(not all([validate(template) for template in sys.argv[1:]]))
