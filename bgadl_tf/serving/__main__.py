"""``python -m bgadl_tf.serving``: the embedded server."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence

from bgadl_tf.core import environment
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import flags

BAD_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server.

    Returns:
        Exit status: 0 after SIGTERM or SIGINT, 2 for a command line or a file that is malformed.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname).1s %(message)s"
    )
    for noisy in ("tensorflow", "absl", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        settings = flags.parse(sys.argv[1:] if argv is None else argv)
        # Until requests are answered, as SIGINT does; the first process of a container ignores
        # signals it has no handler for.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Takes seconds, which a misspelt flag need not.
        from bgadl_tf.serving.server.server import Server

        Server(settings).run()
    except ConfigError as error:
        print(f"{flags.PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    environment.prepare()
    sys.exit(main())
