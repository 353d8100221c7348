# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Runs applications on os-ken's own runtime, as its ``osken-manager`` used to.

``python -m ryu_apps [--ofp-tcp-listen-port PORT] MODULE...``
"""

import sys

from os_ken import cfg
from os_ken.base.app_manager import AppManager
from os_ken.controller import controller  # noqa: F401  declares the options


def main(words: list[str]) -> None:
    """Listen until the process is killed."""
    options = [cfg.MultiStrOpt("app-lists", positional=True, default=[])]
    cfg.CONF.register_cli_opts(options)
    cfg.CONF(args=words, project="os_ken", default_config_files=[])
    # Without echoes os-ken never tells an application that a switch has left.
    cfg.CONF.set_override("maximum_unreplied_echo_requests", 3)
    cfg.CONF.set_override("echo_request_interval", 5)
    AppManager.run_apps(cfg.CONF.app_lists)


if __name__ == "__main__":
    main(sys.argv[1:])
