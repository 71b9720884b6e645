# SPDX-License-Identifier: Apache-2.0
"""The store ports in this process's memory: complete, exact, and gone when the process ends. Nothing is faked here."""
