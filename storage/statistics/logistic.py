"""A logistic curve of one variable through hits and misses: logit p = intercept + slope · x.

Maximum likelihood where hits and misses overlap in x. Where they do not, the likelihood rises for ever with the slope
and has no maximum (Albert and Anderson, Biometrika 71(1), 1984): then Firth's penalised likelihood, l + ½ log |I|
with Fisher's information I, which always has one (Firth, Biometrika 80(1), 1993; Heinze and Schemper, Statistics in
Medicine 21(16), 2002).
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import chi2

from storage.statistics.missing import Missing

Method = Literal["maximum likelihood", "firth"]
Floats = NDArray[np.float64]

STEPS = 200  # of Newton; a dozen do
HALVINGS = 40
CLOSE = 1e-10  # of a step, in units of the scaled coefficients
RAYS = 512  # from the maximum to the contour: with so many, what lies between two is 2e-5 of the way further out
DOUBLINGS, BISECTIONS = 60, 30


class Logistic(msgspec.Struct, frozen=True, kw_only=True):
    intercept: float
    slope: float  # per unit of x
    log_likelihood: float  # penalised where the method is Firth's
    method: Method

    def at(self, x: ArrayLike) -> Floats:
        """p at each x."""
        return np.asarray(expit(self.intercept + self.slope * np.asarray(x, np.float64)), np.float64)


def separated(x: ArrayLike, hits: ArrayLike) -> bool:
    """Whether some x has no miss above it and no hit below, or the other way round; one x may have both."""
    values, hit = _observed(x, hits)
    if hit.all() or not hit.any():
        return True
    above, below = values[hit], values[~hit]
    return bool(below.max() <= above.min() or above.max() <= below.min())


def fit(x: ArrayLike, hits: ArrayLike, *, method: Method | None = None) -> Logistic | Missing:
    """x (N,) and hits (N,) bool; None takes maximum likelihood where there is a maximum, else Firth's.

    Missing where all x are the same, or where maximum likelihood is asked for and hits and misses are separated.
    """
    values, hit = _observed(x, hits)
    if not len(values) or np.ptp(values) == 0:
        return Missing(f"a curve needs two sizes; {len(values)} sites have {len(np.unique(values))}")
    apart = separated(values, hit)
    if apart and method == "maximum likelihood":
        return Missing("hits and misses do not overlap: the likelihood has no maximum")
    chosen = method or ("firth" if apart else "maximum likelihood")
    middle, scale = float(values.mean()), float(values.std())
    scaled = (values - middle) / scale
    penalised = chosen == "firth"
    intercept, slope = _newton(scaled, hit, penalised=penalised)
    reached = float(_likelihood(scaled, hit, np.array([[intercept, slope]]), penalised)[0])
    return Logistic(
        intercept=intercept - slope * middle / scale,
        slope=slope / scale,
        log_likelihood=reached + (float(np.log(scale)) if penalised else 0.0),  # |I| of x is scale² that of scaled x
        method=chosen,
    )


def contour(x: ArrayLike, hits: ArrayLike, curve: Logistic, *, confidence: float) -> Floats:
    """(K, 2) intercepts and slopes at which twice the log-likelihood is less than its maximum by χ²₁ at 2c - 1.

    The least and the largest value of any function of the two on it are its one-sided profile-likelihood bounds at
    `confidence` c, each for itself. The curve is of these x and hits.
    """
    values, hit = _observed(x, hits)
    middle, scale = float(values.mean()), float(values.std())
    scaled, penalised = (values - middle) / scale, curve.method == "firth"
    best = np.array([curve.intercept + curve.slope * middle, curve.slope * scale])
    floor = float(_likelihood(scaled, hit, best[None], penalised)[0]) - float(chi2.ppf(2 * confidence - 1, 1)) / 2
    angles = np.arange(RAYS) * (2 * np.pi / RAYS)
    circle = np.stack([np.cos(angles), np.sin(angles)])  # (2, K)
    rays = np.linalg.solve(np.linalg.cholesky(_information(scaled, best)).T, circle).T  # the contour is near to these
    inner, outer = np.zeros(RAYS), np.ones(RAYS)
    for _ in range(DOUBLINGS):
        inside = _likelihood(scaled, hit, best + outer[:, None] * rays, penalised) > floor
        if not inside.any():
            break
        inner, outer = np.where(inside, outer, inner), np.where(inside, 2 * outer, outer)
    for _ in range(BISECTIONS):
        between = (inner + outer) / 2
        inside = _likelihood(scaled, hit, best + between[:, None] * rays, penalised) > floor
        inner, outer = np.where(inside, between, inner), np.where(inside, outer, between)
    found = best + outer[:, None] * rays
    return np.stack([found[:, 0] - found[:, 1] * middle / scale, found[:, 1] / scale], axis=1)


def _observed(x: ArrayLike, hits: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    values, hit = np.asarray(x, np.float64), np.asarray(hits, np.bool_)
    if values.ndim != 1 or values.shape != hit.shape or not np.all(np.isfinite(values)):
        raise ValueError(f"x {values.shape} and hits {hit.shape}: a finite x is needed for each hit or miss")
    return values, hit


def _newton(x: Floats, hit: NDArray[np.bool_], *, penalised: bool) -> tuple[float, float]:
    """x is scaled. Firth's score has h(½ - p) more for each observation, with its leverage h.

    That is the score of half a hit and half a miss more with the weight h, whose information is added too: with that of
    the observations alone a few sites make each step overshoot, and the steps do not end.
    """
    design = np.stack([np.ones_like(x), x], axis=1)
    beta = np.zeros(2)
    now = _likelihood(x, hit, beta[None], penalised)[0]
    for _ in range(STEPS):
        p = expit(design @ beta)
        w, residual = p * (1 - p), hit - p
        if penalised:
            inverse = np.linalg.inv(_information(x, beta))
            leverage = w * np.einsum("ni,ij,nj->n", design, inverse, design)
            residual, w = residual + leverage * (0.5 - p), w * (1 + leverage)
        step = np.linalg.solve((design.T * w) @ design, design.T @ residual)
        for _ in range(HALVINGS):
            then = _likelihood(x, hit, (beta + step)[None], penalised)[0]
            if then >= now - 1e-12:
                break
            step = step / 2
        beta, now = beta + step, then
        if np.max(np.abs(step)) < CLOSE:
            return float(beta[0]), float(beta[1])
    raise ArithmeticError(f"the likelihood has no maximum within {STEPS} steps")


def _information(x: Floats, beta: Floats) -> Floats:
    """(2, 2) Fisher's information of intercept and slope."""
    p = expit(beta[0] + beta[1] * x)
    w = p * (1 - p)
    return np.array([[w.sum(), (w * x).sum()], [(w * x).sum(), (w * x * x).sum()]])


def _likelihood(x: Floats, hit: NDArray[np.bool_], betas: Floats, penalised: bool) -> Floats:
    """(K,) of betas (K, 2), in logarithm."""
    eta = betas[:, :1] + betas[:, 1:] * x  # (K, N)
    found = np.where(hit, eta, 0.0).sum(axis=1) - np.logaddexp(0, eta).sum(axis=1)
    if not penalised:
        return np.asarray(found)
    w = expit(eta) * expit(-eta)
    mean = (w * x).sum(axis=1) / np.maximum(w.sum(axis=1), np.finfo(float).tiny)
    spread = (w * (x - mean[:, None]) ** 2).sum(axis=1)
    determinant = w.sum(axis=1) * spread  # the same as Σw Σwx² - (Σwx)², without its cancellation
    return np.asarray(found + 0.5 * np.log(np.maximum(determinant, np.finfo(float).tiny)))
