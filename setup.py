"""Everything is declared in pyproject.toml, but that a wheel carries the shipped bundles."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithBundles(build_py):
    """Adds engines/ as edge_daemon/_engines, where a program without a checkout finds it."""

    def run(self) -> None:
        """Copy the modules, then the bundles; a checkout is used in place."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "edge_daemon" / "_engines"
            copytree(Path(__file__).parent / "engines", target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithBundles})
