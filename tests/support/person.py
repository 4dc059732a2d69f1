"""Somebody at a terminal who types what a page says."""

import os
import re
import shlex
import subprocess
import sys
import time

from support.processes import ROOT

TIMEOUT_S = 30.0


class Person:
    """Somebody at a terminal, with a home folder and an environment.

    Args:
        home: The folder, which is made.
        there: What runs a command on the machine of that person; nothing for this one.
        replaced: The texts of the page that are others here.
    """

    def __init__(self, home, there, replaced):
        home.mkdir(mode=0o700)
        self.home = home
        self._there = there
        self._replaced = replaced
        config = str(home / ".config")
        self.env = {"HOME": str(home), "XDG_CONFIG_HOME": config, "PYTHONPATH": str(ROOT)}
        self.env["COSMO_CONTEXT"] = ""  # those of that home count, unlike those of the tester

    def command(self, *arguments):
        """Return the command line of `python ...` on that machine."""
        return [*self._there, sys.executable, *arguments]

    def cosmo(self, typed):
        """Return the command line of a command that begins with `cosmo`."""
        for before, after in self._replaced.items():
            typed = typed.replace(before, after)
        program, *arguments = shlex.split(typed.replace("~/", f"{self.home}/"))
        assert program == "cosmo"
        return self.command("-m", "cosmonapse.cli", *arguments)

    def type(self, typed):
        """Type a command that ends; return what it printed."""
        if found := re.fullmatch(r"export (\w+)=~/(\S+)", typed):
            self.env[found[1]] = str(self.home / found[2])
            return ""
        return self.run(self.cosmo(typed))

    def let_in(self, typed):
        """Type a command until the Synapse has read that this person is allowed."""
        return self.type_while(typed, "does not list the key of")

    def type_while(self, typed, *not_yet):
        """Type a command again while it fails with one of these texts; return what it printed.

        Any other failure is one of the test, at once.
        """
        until_s = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self.type(typed)
            except AssertionError as error:
                is_early = any(each in str(error) for each in not_yet)
                if not is_early or time.monotonic() > until_s:
                    raise

    def run(self, command, code=0):
        """Run a command to its end; return what it printed."""
        ended = subprocess.run(
            command,
            cwd=self.home,
            env={**os.environ, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == code, (command, ended.stdout)
        return ended.stdout
