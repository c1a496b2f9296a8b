"""``plugin-run events``: what plugins publish, from the shell."""

import json
import signal
from pathlib import Path

from .support import Running, plugin_run, write_plugin

PUBLISHER = """\
declared = [{"topic": "document.saved", "description": "A document was saved.\\nMore of it."}]
raw.begin(raw.result(events=declared))
raw.read()  # initialized
raw.send(method="event/publish", params={"topic": "document.saved", "data": {"path": "a\\x1b"}})
raw.send(method="event/publish", params={"topic": "document.closed"})
raw.send(method="event/publish", params={"topic": "other"})
raw.serve()
"""


def test_watch_prints_each_event_that_matches(tmp_path: Path) -> None:
    # Both are published before anybody could have subscribed: nothing is missed for that.
    done = plugin_run(
        "events", "watch", "document.*", "--count", "2", "--with", write_plugin(tmp_path, PUBLISHER), cwd=tmp_path
    )
    assert (done.code, done.out) == (
        0,
        'document.saved  liar  {"path": "a\\u001b"}\ndocument.closed  liar  null\n',
    )


def test_watch_writes_json_for_programs(tmp_path: Path) -> None:
    done = plugin_run(
        "events", "watch", "other", "--count", "1", "--json", "--with", write_plugin(tmp_path, PUBLISHER), cwd=tmp_path
    )
    assert done.code == 0
    assert json.loads(done.out) == {"topic": "other", "from": "liar", "data": None, "seq": 1, "missed": 0}


def test_watch_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, PUBLISHER)
    with Running("events", "watch", "nobody.publishes.this", "-v", "--with", plugin, cwd=tmp_path) as running:
        running.wait_for("declares such a topic")
        running.signal(signal.SIGINT)
        done = running.end()
    assert (done.code, done.out) == (130, "")


def test_watch_ends_when_no_plugin_is_left(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "raw.begin()\nraw.read()\n")
    (tmp_path / "plugins.toml").write_text(f'[plugins.one]\ncommand = ["{plugin}"]\nrestart = "never"\n')
    with Running("events", "watch", "document.*", cwd=tmp_path) as running:
        running.wait_for("no plugin is left that runs")
        assert running.end().code == 0


def test_watch_refuses_what_is_no_pattern(tmp_path: Path) -> None:
    done = plugin_run("events", "watch", "a..b", "--with", write_plugin(tmp_path), cwd=tmp_path)
    assert done.code == 5
    assert "a..b" in done.err


def test_topics_shows_what_is_declared(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, PUBLISHER)
    done = plugin_run("events", "topics", "--with", plugin, cwd=tmp_path)
    assert done.code == 0
    assert "host.plugin.ready  host  A plugin has become ready.\n" in done.out
    assert done.out.endswith("document.saved  liar  A document was saved.\n")
    told = json.loads(plugin_run("events", "topics", "--json", "--with", plugin, cwd=tmp_path).out)
    assert told[-1] == {
        "topic": "document.saved",
        "from": "liar",
        "description": "A document was saved.\nMore of it.",
    }
