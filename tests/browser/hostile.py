"""Names that would be markup, code or a trick to the eye, in every field that people and workers write; and whether a page fell for one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from playwright.sync_api import Page

from dna_engine.events import Log
from dna_engine.images.info import DatasetInfo
from dna_engine.space.architecture import published
from store import datasets, flow, keys, workers
from store.session import transaction
from store.tables import Job
from tests.api.builders import finish
from tests.browser.service import Service
from tests.store.builders import queued, take

#: Each would set ``window.__hacked``, or leave an element with the attribute ``data-hacked``, where it was taken for more than text.
NAMES = {
    "a script": "<script data-hacked>window.__hacked = 1</script>",
    "a picture that fails": '<img data-hacked src=x onerror="window.__hacked=1">',
    "out of double quotes": '"><svg data-hacked onload="window.__hacked=1">',
    "out of single quotes": "' autofocus onfocus='window.__hacked=1' data-hacked='",
    "out of a text": "</title></style></textarea></script><b data-hacked>bold</b>",
    "a link": "javascript:window.__hacked=1",
    "a template": "${window.__hacked=1} {{constructor.constructor('window.__hacked=1')()}} `${window.__hacked=1}`",
    "entities": "&lt;b data-hacked&gt;bold&lt;/b&gt; &#106;avascript:window.__hacked=1 &amp;amp;",
    "from right to left": "photo\u202egnp.exe\u202c\u2066\u2067",
    "nothing to see": "a\u200bb\u200dc\u2060d\ufeff\u00ade",
    "an escape sequence": "\x1b[31mred\x1b[0m\x07",
    "two hundred letters": "w" * 200,
    "many accents": "e" + "\u0301" * 100,
    "a path": "../../searches?limit=1#/keys",
    "a word that means something": "__proto__",
}

#: What goes everywhere that there is one of only: elements and handlers at once.
WORST = NAMES["out of double quotes"] + NAMES["a picture that fails"] + NAMES["a template"]

_KEY = 64
_NAME = 200


@dataclass(frozen=True)
class Hostile:
    """Ids of what was called so.

    Attributes:
        named: a cancelled search for each of ``NAMES``, called so and labelled by it, by what it is.
        search: succeeded; its dataset and classes are called so. ``failed``: its error and log say so, and so is its worker called.
        network: given, called so; ``training`` is of it.
        dataset: name of the one whose classes are called so.
    """

    named: dict[str, str]
    search: str
    failed: str
    network: str
    training: str
    dataset: str
    key: str
    webhook: str


def fill(service: Service) -> Hostile:
    """Gives the service something of every kind that is called so."""
    dataset = _dataset(service)
    search = service.post("/searches", dataset=dataset, name=WORST[:_NAME], labels={"team": WORST})["id"]
    finish(service.sessions, service.blobs, UUID(search))
    described = published("dna-a", input_size=32).to_json()
    network = service.post("/architectures", architecture=described, name=WORST[:_NAME])["id"]
    training = service.post("/trainings", architecture=network, dataset="digits", name=WORST[:_NAME])["id"]
    finish(service.sessions, service.blobs, UUID(training))
    with transaction(service.sessions) as session:
        key, _ = keys.create(session, WORST)
    return Hostile(
        named={what: _named(service, name) for what, name in NAMES.items()},
        search=search,
        failed=_failed(service),
        network=network,
        training=training,
        dataset=dataset,
        key=str(key.id),
        webhook=service.post("/webhooks", url="http://127.0.0.1:9/", description=WORST)["id"],
    )


def check(page: Page) -> None:
    """Nothing of ``NAMES`` has become more than text in this page, in shadow trees neither."""
    found = page.evaluate(
        """() => {
            const wrong = window.__hacked === undefined ? [] : ['a script of a name has run'];
            const look = root => {
                for (const element of root.querySelectorAll('*')) {
                    for (const {name, value} of element.attributes) {
                        const runs = name.startsWith('on') || /^\\s*javascript:/i.test(value) && /href|src|action|data$/i.test(name);
                        if (name === 'data-hacked' || runs) wrong.push(element.outerHTML.slice(0, 200));
                    }
                    if (element.shadowRoot) look(element.shadowRoot);
                }
            };
            look(document);
            return wrong;
        }"""
    )
    assert found == []


def _named(service: Service, name: str) -> str:
    labels = {name[:_KEY]: "key", "value": name}
    search = service.post("/searches", dataset="digits", name=name, labels=labels)["id"]
    service.post(f"/searches/{search}/cancel")
    return str(search)


def _dataset(service: Service) -> str:
    """Its name no request can give it; rows outlive rules."""
    names = list(NAMES.values())
    info = DatasetInfo(
        name=WORST[:100],
        kind="upload",
        location="e" * 64,
        num_classes=len(names),
        num_train=10 * len(names),
        num_test=2 * len(names),
        image_size=10,
        class_names=names,
        warnings=[f"There are few test images: 2 of {WORST}."],
        licence=WORST,
    )
    with transaction(service.sessions) as session:
        datasets.create(session, info, fingerprint=info.location)
    return info.name


def _failed(service: Service) -> str:
    search = service.post("/searches", dataset="digits", name="failed")["id"]
    with transaction(service.sessions) as session:
        [step] = queued(session, session.get_one(Job, UUID(search)))
        about = {"hostname": WORST, "device": "cuda:0", "device_name": WORST}
        worker = workers.register(session, **about, pid=1, queues=["gpu"], versions={"torch": WORST})
        claim = take(session, step, worker)
        said = [Log(level="error", message=message) for message in NAMES.values()]
        flow.report(session, claim, said, engine_seconds=1)
        flow.fail(session, claim, {"code": WORST, "message": WORST, "param": WORST}, engine_seconds=1, retry=False)
    return str(search)
