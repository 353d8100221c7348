# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What hypervisors say of their interfaces: OVSDB (RFC 7047) over Twisted.

`client` is the service; `hypervisor` lives as long as one connection.  What
the database means (`values`, `update`, `replica`, `picture`, `bridge`) is
decided without a connection; `framing`, `rpc` and `monitor` speak to one.
"""
