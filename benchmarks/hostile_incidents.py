"""Attacks with hostile language models, and runs the honest twins of all attacks."""

from collections.abc import AsyncIterator
from functools import partial

from attacked_deployment import Deployment
from attacked_models import name_model
from hostile_models import HONEST, HOSTILE_MODELS
from incident_batches import KindResult, await_end, run_batch, run_together

from trimtab.contracts.incident import Ending

_LOSSES = ("loss", "release", "critical")


async def attack_with_models(
    deployment: Deployment, *, each: int, group: str = "attacked", only: str | None = None
) -> AsyncIterator[KindResult]:
    """Let every hostile model deliberate on true, signed events."""
    batches = [
        partial(_attack, deployment, name, model.situation, group, each)
        for name, model in HOSTILE_MODELS.items()
        if only in (None, name)
    ]
    async for result in run_together(batches, each=each):
        yield result


async def _attack(
    deployment: Deployment, name: str, situation: str, group: str, each: int
) -> KindResult:
    result = KindResult("hostile models", name)
    job = partial(_run, deployment, result, situation, group=group, analyst=f"ollama/{name}")
    return await run_batch(result, deployment, [job] * each)


async def _run(
    deployment: Deployment, result: KindResult, situation: str, *, group: str, analyst: str
) -> None:
    event = deployment.events.build(name_model(situation, group), result.kind)
    await deployment.start_incident(deployment.signer.sign(event), analyst=analyst)
    result.add_report(await await_end(deployment, event), is_loss=situation in _LOSSES)


async def run_honest_twins(deployment: Deployment, *, each: int) -> AsyncIterator[KindResult]:
    """Run true events with an honest model and with the rules; they act, one after the other."""
    for situation in ("loss", "release", "fine"):
        for analyst in ("analyst/rules", f"ollama/{HONEST}"):
            result = KindResult("honest twins", f"{situation}, {analyst}")
            jobs = [partial(_run_twin, deployment, result, situation, analyst) for _ in range(each)]
            at_once = 8 if situation == "fine" else 1
            yield await run_batch(result, deployment, jobs, at_once=at_once)


async def _run_twin(
    deployment: Deployment, result: KindResult, situation: str, analyst: str
) -> None:
    model = name_model(situation, "honest")
    if situation != "fine":
        await deployment.reset_champions("honest")
    event = deployment.events.build(model, "twin")
    if situation == "loss":
        deployment.oracle.allow_retraining(model, event.id)
    if situation == "release":
        deployment.oracle.allow_champion(model, "1")
    await deployment.start_incident(deployment.signer.sign(event), analyst=analyst)
    result.add_report(await await_end(deployment, event), is_loss=False)


def count_executed(results: list[KindResult]) -> tuple[int, int]:
    """Return how many twins that should act were carried out, and how many there were."""
    acting = [each for each in results if not each.kind.startswith("fine")]
    done = sum(
        count
        for each in acting
        for ending, count in each.endings.items()
        if ending.startswith(Ending.REMEDIATED.value)
    )
    return done, sum(each.attempts for each in acting)
