"""``python -m api``: runs the HTTP service. Exits with 2 when something must be set otherwise, and says what."""

from __future__ import annotations

import argparse
import sys

from pydantic import ValidationError

from api.errors import ConfigurationError
from api.server import serve
from api.settings import ApiSettings
from store import logs
from store.settings import wrong_settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m api", description="The HTTP service of DNA AutoML.")
    parser.add_argument("--host", help="address to listen on, instead of DNA_API_HOST (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on, instead of DNA_API_PORT (8000)")
    parser.add_argument(
        "--embedded", action="store_true", default=None, help="on a loopback address, take requests without a key"
    )
    chosen = parser.parse_args(arguments)
    given = {"api_host": chosen.host, "api_port": chosen.port, "embedded": chosen.embedded}
    try:
        settings = ApiSettings.model_validate({name: value for name, value in given.items() if value is not None})
        logs.configure(settings.log_format)
        serve(settings)
    except ValidationError as error:
        print(f"A setting is wrong. {wrong_settings(error)}", file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
