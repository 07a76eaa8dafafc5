"""Questions as people on call ask them, in other words than the runbooks', and where they lead.

`SEEN` were read while the runbooks were being tuned; `UNSEEN` were written afterwards and changed
nothing, so that theirs is the honest figure.
"""

from typing import Final

SEEN: Final[dict[str, str]] = {
    "half the temperature readings are suddenly empty since last night": "null-spike-upstream",
    "all values seem multiplied by a thousand, did someone switch to grams?": (
        "unit-or-scale-change"
    ),
    "a field the model needs was renamed and the table no longer has it": (
        "schema-change-missing-column"
    ),
    "a shop id turned up that was not there when we trained": "new-category",
    "the meter shows the very same number hour after hour": "stale-feed-sensor-outage",
    "every order appears twice in the table after the consumer restarted": "duplicate-rows",
    "the counter reports minus twelve cars and others far beyond what fits in": (
        "out-of-range-values"
    ),
    "the feature is filled everywhere but it is always 0.5": "constant-or-default-filled-column",
    "no input moved yet the score collapsed; could the ground truth be messed up?": "broken-labels",
    "we signed a partner and many younger clients from abroad are coming in": (
        "covariate-shift-new-segment"
    ),
    "twice as many positives as before, ranking is fine but probabilities are off": "label-shift",
    "accuracy has been eroding a bit every month with no obvious culprit": "gradual-concept-drift",
    "a new law took effect on Monday and since then all forecasts are biased": (
        "sudden-concept-drift"
    ),
    "it looks like the usual summer holidays effect, it should go away by itself": (
        "seasonality-recurring-pattern"
    ),
    "shops and garages are packed in December, should we retrain for the festive weeks?": (
        "christmas-trading-season"
    ),
    "since we deployed version 8 the results are worse than what version 7 gave": "bad-release",
    "the features computed online are not the ones we get offline in the notebook": (
        "training-serving-skew"
    ),
    "the challenger went live but nothing improved, was it evaluated on too few rows?": (
        "promotion-without-improvement"
    ),
    "the model was fitted during the outage and learnt the broken values": (
        "retrained-on-corrupt-data"
    ),
    "with a million records each test is significant although differences are minute": (
        "harmless-large-sample-drift"
    ),
    "the system only learns from what it chose to show itself": "feedback-loop",
    "the outcome is known only in three months, how can we tell whether it hurts?": (
        "delayed-labels"
    ),
    "only forty observations came in this week, can we trust the PSI?": "small-window",
    "since the last Sunday of October the daily curve is an hour late": "calendar-and-clock-change",
    "a third of the income figures vanished when the CRM export broke": "null-spike-upstream",
    "speeds dropped to 62 percent everywhere at the same moment": "unit-or-scale-change",
    "the vendor dropped an attribute from the payload": "schema-change-missing-column",
    "we opened a branch in Leeds and the encoder has no entry for it": "new-category",
    "the thermometer has been reporting 21.5 for two days straight": "stale-feed-sensor-outage",
    "someone ran the nightly load again and now there are copies of everything": "duplicate-rows",
    "there are people aged 999 in the table": "out-of-range-values",
    "risk score lookups no longer match any key, so everybody gets the fallback": (
        "constant-or-default-filled-column"
    ),
    "annotators got new guidelines and now we seem to fail on everything": "broken-labels",
    "marketing brought in students, and for them we predict poorly": (
        "covariate-shift-new-segment"
    ),
    "churners are far more common this quarter and the cut-off no longer fits": "label-shift",
    "every report is slightly worse than the one before, for half a year now": (
        "gradual-concept-drift"
    ),
    "after lockdown was announced people travel completely differently": "sudden-concept-drift",
    "Sunday looks odd compared with last Wednesday, is that a problem?": (
        "seasonality-recurring-pattern"
    ),
    "the mall is overrun with gift buyers and our visitor forecast is too low": (
        "christmas-trading-season"
    ),
    "yesterday's rollout broke the predictions, can we revert?": "bad-release",
    "the notebook says 0.9 but the endpoint gives rubbish": "training-serving-skew",
    "we swapped models last week and the numbers are exactly as mediocre as before": (
        "promotion-without-improvement"
    ),
    "the scheduled refit ran on garbage, what now?": "retrained-on-corrupt-data",
    "the dashboard is all red but the users are happy and accuracy is the same": (
        "harmless-large-sample-drift"
    ),
    "rejected applicants never get a chance to prove us wrong": "feedback-loop",
    "claims are settled after ninety days, until then we are blind": "delayed-labels",
    "it was a quiet night with hardly any traffic and the monitor went off": "small-window",
    "one source switched to UTC and rush hour now seems to start at six": (
        "calendar-and-clock-change"
    ),
}
"""A question, and the runbook that answers it."""

UNSEEN: Final[dict[str, str]] = {
    "the partner's nightly file arrived with most postcodes left out": "null-spike-upstream",
    "weights look like pounds now although the form still says kilograms": "unit-or-scale-change",
    "the scoring job crashes, it says an expected input is not there": (
        "schema-change-missing-column"
    ),
    "a tariff nobody has seen before shows up in five percent of the contracts": "new-category",
    "pressure on pump 4 is flat as a board since Thursday noon": "stale-feed-sensor-outage",
    "after the failover the stream was consumed again from the start": "duplicate-rows",
    "some trips have a negative duration and one lasted eleven years": "out-of-range-values",
    "since the feature service was upgraded each merchant has the same rating": (
        "constant-or-default-filled-column"
    ),
    "I checked ten cases by hand and the recorded outcomes are simply false": "broken-labels",
    "we expanded to Poland and the scores for those users are bad": "covariate-shift-new-segment",
    "defaults have doubled, each group of borrowers looks as before": "label-shift",
    "little by little the predictions lose touch, no single column stands out": (
        "gradual-concept-drift"
    ),
    "the competitor went bankrupt on Friday and our demand model is wrong from then on": (
        "sudden-concept-drift"
    ),
    "half-term week again: the schools are closed and traffic is different": (
        "seasonality-recurring-pattern"
    ),
    "car parks in the centre are full until late every Saturday in Advent": (
        "christmas-trading-season"
    ),
    "the alias was moved to version 12 at two o'clock and quality dropped at two o'clock": (
        "bad-release"
    ),
    "production preprocesses the text with another library than training did": (
        "training-serving-skew"
    ),
    "third retraining this month and still no gain that anybody can see": (
        "promotion-without-improvement"
    ),
    "whoever trained version 6 included the week in which the data were wrong": (
        "retrained-on-corrupt-data"
    ),
    "all forty features are flagged yet nothing has got worse, PSI is below 0.02": (
        "harmless-large-sample-drift"
    ),
    "users only see what the recommender picks, and it keeps picking the same things": (
        "feedback-loop"
    ),
    "there is drift but we will not have any targets before spring": "delayed-labels",
    "this hour brought nineteen requests and the drift score is through the roof": "small-window",
    "ever since summer time ended, the evening peak is in the wrong place": (
        "calendar-and-clock-change"
    ),
}
"""As above; nothing was tuned to them."""
