"""docs/programme.md, step by step: its files are written down, its commands run, and they answer what the page says."""
import os
import pathlib
import re
import shlex
import subprocess

import services

PAGE = pathlib.Path(services.ROOT) / "docs" / "programme.md"
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text):
    """[(command, what it answers)] of a block."""
    found = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].strip(), ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def walk(page, folder, programs, conninfo):
    """The page with what its commands answer here instead of what it says."""
    done = []

    def answer(block):
        words, text = block.group(1).split(), block.group(2)
        if len(words) == 2:
            (folder / words[1]).write_text(text, encoding="utf-8")
        if words:
            return block.group(0)
        answers = []
        for command, _ in commands(text):
            result = subprocess.run(shlex.split(command), cwd=folder, capture_output=True, text=True, check=False,
                                    env={"PATH": f"{programs}:/usr/bin:/bin", "LOYALD_POSTGRES": conninfo})
            answers.append(f"$ {command}\n{result.stdout}{result.stderr}")
            done.append(command)
        return "```\n" + "".join(answers) + "```"
    return BLOCK.sub(answer, page), done


def test_every_step_of_the_page_answers_what_it_says(database, programs, tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    found, done = walk(page, tmp_path, programs, database)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(found, encoding="utf-8")
    assert {command.split()[1] for command in done} == {"programme", "preview"} and len(done) >= 7
    assert found == PAGE.read_text(encoding="utf-8")


def test_a_page_that_says_something_else_is_seen(database, programs, tmp_path):
    page = PAGE.read_text(encoding="utf-8").replace("points: {title: Points", "points: {titel: Points", 1)
    assert walk(page, tmp_path, programs, database)[0] != page
