# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Runs an application on os-ken's own runtime: ``python -m ... PORT MODULE``."""

import sys

from os_ken import cfg
from os_ken.base.app_manager import AppManager
from os_ken.controller import controller  # noqa: F401  declares the options


def main():
    """Listen until the process is killed."""
    words = ["--ofp-tcp-listen-port", sys.argv[1], "--ofp-listen-host", "127.0.0.1"]
    cfg.CONF(args=words, project="os_ken", default_config_files=[])
    # Without echoes os-ken does not notice that a switch left: the thread that
    # would send to it waits for ever, and is waited for.
    cfg.CONF.set_override("maximum_unreplied_echo_requests", 2)
    cfg.CONF.set_override("echo_request_interval", 0.5)
    AppManager.run_apps([sys.argv[2]])


if __name__ == "__main__":
    main()
