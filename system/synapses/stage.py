"""The training on synapses as a function: both arithmetics for each seed, then the two files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from devices.synapse import Synapse
from formats.errors import InputError
from formats.folders import make_folder
from formats.interrupts import going_on
from formats.progress import steps
from formats.provenance import provenance_key, sha256_file
from formats.seeds import generator
from formats.synapse_training import read_synapse_training, write_synapse_training
from formats.training import write_weights
from system.images import Images, load_images
from system.networks import build_network, layers_of
from system.synapses.corruption import CORRUPTIONS
from system.synapses.crossbars import Crossbar, Programmed, crossbars_of, network_of, programmed
from system.synapses.evaluate import right, right_when_corrupted
from system.synapses.floating import Descent, FloatTrainer
from system.synapses.learning import Course, Trainer, Writes, no_writes
from system.synapses.options import SynapseOptions, stage_provenance
from system.synapses.record import Run, Trained, arrays, dataset
from system.synapses.screen import summary
from system.train.allocation import keep_freed_memory
from system.train.checkpoint import AFTER_EPOCHS, Checkpoints

TRAINING_FILE = "synapses.nc"
CONDUCTANCES_FILE = "conductances.npz"
CHECKPOINTS = "checkpoints-synapses"
SOURCE_OF_SCORES = "simulated: trained and tested on the conductances of drawn devices"


class Kept(NamedTuple):
    """A run between epochs; ``rows`` are (epoch, accuracy and loss), NaN where to come."""

    state: Any
    potentiated: np.ndarray
    rows: np.ndarray


def run(options: SynapseOptions) -> tuple[Path, Path]:
    """Train in floating point and on synapses; write synapses.nc and conductances.npz.

    Returns their paths. After a kill the same call goes on from the last whole epoch. Raises
    :class:`InputError`.
    """
    options.check()
    keep_freed_memory()  # before JAX starts
    synapse = options.device()
    images = load_images(options.images, options.train_images, options.test_images)
    if options.batch_size > images.train_labels.size:
        raise InputError(
            "--batch-size",
            f"is {options.batch_size}, more than the {images.train_labels.size} training images",
        )
    network = _network(options, images, options.seed)
    crossbars = crossbars_of(network, options.cells)
    make_folder(options.output)
    text = json.dumps(synapse.to_dict())
    record = stage_provenance(options, text)

    def say(words: str) -> None:
        if not options.quiet:
            print(words, file=sys.stderr, flush=True)

    checkpoints = Checkpoints(options.output / CHECKPOINTS, provenance_key(record), say)
    if options.fresh:
        checkpoints.remove()
    scored = sum(len(strengths) for _, strengths in CORRUPTIONS.values())
    total = options.seeds * (2 * options.epochs + scored)
    with steps("training on synapses", total, options.quiet) as step, going_on(AFTER_EPOCHS):
        trained = [
            _Seed(options, synapse, crossbars, images, seed, checkpoints, step, say).trained()
            for seed in range(options.seed, options.seed + options.seeds)
        ]
    training = options.output / TRAINING_FILE
    held = options.output / CONDUCTANCES_FILE
    write_weights(held, arrays(trained, crossbars, options.seed))
    about = {
        "synapse": text,
        "network": options.network,
        "parameters": sum(layer.parameters for layer in layers_of(network)),
        "cells": options.cells,
        "rule": options.rule,
        "rate": options.first_rate,
        "stream_bits": options.stream_bits,
        "recentre": int(options.recentre),
        "images": images.name,
        "images_sha256": images.sha256,
        "train_images": images.train_labels.size,
        "test_images": images.test_labels.size,
        "batch_size": options.batch_size,
        "conductances_sha256": sha256_file(held),
        "source": SOURCE_OF_SCORES,
        "provenance": json.dumps(record, sort_keys=True),
    }
    positions = {layer.name: layer.linear.uses for layer in layers_of(network)}
    data = dataset(trained, crossbars, positions, synapse, options.seed)
    write_synapse_training(training, about, data)
    checkpoints.remove()
    if not options.quiet:
        summary(read_synapse_training(training))
        print(f"wrote {training} and {held}")
    return training, held


def _network(options: SynapseOptions, images: Images, seed: int) -> Any:
    return build_network(options.network, generator(seed, "weights"), images.side, images.classes)


@dataclass
class _Seed:
    """The runs of one seed."""

    options: SynapseOptions
    synapse: Synapse
    crossbars: tuple[Crossbar, ...]
    images: Images
    seed: int
    checkpoints: Checkpoints
    step: Any
    say: Any

    def trained(self) -> Trained:
        """Both arithmetics, then both networks on the same spoilt images."""
        network = _network(self.options, self.images, self.seed)
        plain = self._float(network)
        start = programmed(network, self.crossbars, self.synapse, self.seed)
        pulsed = self._pulsed(network, start)
        conductances, pulses = pulsed.state
        networks = {"float": plain.state.network, "synapses": self._read(network, conductances)}
        spoilt = right_when_corrupted(networks, self.images, self.seed, self.step)
        runs = {}
        for name, kept in (("float", plain), ("synapses", pulsed)):
            correct = int(right(networks[name], self.images.test, self.images.test_labels).sum())
            runs[name] = Run(kept.rows[:, 0], kept.rows[:, 1], correct, spoilt[name])
        return Trained(runs, start, conductances, pulses, pulsed.potentiated)

    def _read(self, network: Any, conductances: Any) -> Any:
        return network_of(network, self.crossbars, self.synapse, conductances)

    def _float(self, network: Any) -> Kept:
        trainer = FloatTrainer(self.images, self.options.epochs, self.seed)

        def epoch(number: int, kept: Kept) -> tuple[Any, np.ndarray, Any, float]:
            state, loss = trainer.epoch(number, kept.state)
            return state, kept.potentiated, state.network, loss

        return self._run("float", trainer, epoch, Descent.of(network), np.zeros(0, np.int64))

    def _pulsed(self, network: Any, start: Programmed) -> Kept:
        options = self.options
        course = Course(
            self.synapse,
            self.crossbars,
            network,
            options.rule,
            options.first_rate,
            options.epochs,
            options.batch_size,
            options.stream_bits,
            options.recentre,
            self.seed,
        )
        trainer = Trainer(course, start.ends, self.images)

        def epoch(number: int, kept: Kept) -> tuple[Any, np.ndarray, Any, float]:
            held, pulses = kept.state
            fresh = no_writes(held).potentiated
            held, writes, loss = trainer.epoch(number, held, Writes(pulses, fresh))
            more = np.array([int(part) for part in writes.potentiated], np.int64)
            state = held, writes.each
            return state, kept.potentiated + more, self._read(network, held), loss

        held = jax.tree.map(jnp.array, start.conductances)
        state = held, no_writes(held).each
        return self._run("synapses", trainer, epoch, state, np.zeros(len(self.crossbars), np.int64))

    def _run(self, name: str, trainer: Any, epoch: Any, state: Any, none: np.ndarray) -> Kept:
        """Epoch by epoch, from a checkpoint if there is one."""
        options, words = self.options, f"{name}, seed {self.seed}"
        kept = Kept(state, none, np.full((options.epochs, 2), np.nan))
        found = self.checkpoints.resume(f"{name}-seed{self.seed}", kept)
        done, kept = (0, kept) if found is None else found
        for number in range(options.epochs):
            self.step(f"{words}, epoch {number + 1}")
            if number < done:
                continue
            state, potentiated, network, loss = epoch(number, kept)
            share = right(network, self.images.test, self.images.test_labels).mean()
            rows = np.array(kept.rows)
            rows[number] = share, loss
            kept = Kept(state, potentiated, rows)
            self.checkpoints.save(f"{name}-seed{self.seed}", number + 1, kept)
            rate = self.images.train_labels.size / trainer.seconds
            self.say(
                f"{words}: epoch {number + 1}/{options.epochs}, loss {loss:.4f}, test accuracy "
                f"{100 * share:.2f} %, {rate:.0f} images/s"
            )
        return kept
