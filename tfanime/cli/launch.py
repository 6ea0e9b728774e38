"""`tfanime launch`."""

from __future__ import annotations

import click

from tfanime.cli.kinds import COUNT

VERBS = ("train", "sweep")


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--workers", metavar="HOST:PORT,...", help="All machines, in the same order on each.")
@click.option(
    "--index", type=click.IntRange(0), help="Which of them this is. Default: found by its name."
)
@click.option("--local-workers", type=COUNT, help="Start so many workers on this machine.")
@click.option("--slurm", is_flag=True, help="One worker a task of `srun`; SLURM_* say the rest.")
@click.option("--port", type=click.IntRange(1024, 65000), help="With --slurm: the first port.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def launch(ctx, workers, index, local_workers, slurm, port, command) -> None:
    """Train with several processes, on one machine or many.

    COMMAND is `train` or `sweep` with its options, after `--`. Every worker sees the same run
    folder and data, and computes its part of each batch. When one stops, all do; the same launch
    continues from the newest checkpoint.

    \b
    Examples:
      tfanime launch --local-workers 2 -- train dcgan --data drawn --epochs 5 --out runs/two
      tfanime launch --workers a:12321,b:12321 -- train dcgan --data packed/ --steps 9000 \\
        --out /shared/runs/faces            # the same line on a and on b
      srun tfanime launch --slurm -- train dcgan --data packed/ --steps 9000 --out runs/faces
    """
    from tfanime.training import cluster
    from tfanime.training.launch import run_all, run_one

    if sum(map(bool, (workers, local_workers, slurm))) != 1:
        raise click.UsageError("Give one of --workers, --local-workers and --slurm.", ctx)
    if command[0] not in VERBS:
        raise click.UsageError(
            f"What is launched is one of: {', '.join(VERBS)}. Received: {command[0]!r}.", ctx
        )
    if index is not None and not workers:
        raise click.UsageError("--index goes with --workers.", ctx)
    if local_workers:
        code = run_all(local_workers, command, lambda line: click.echo(line, err=True))
    else:
        if slurm:
            import os

            addresses, index = cluster.from_slurm(os.environ, port or cluster.PORT)
        else:
            addresses = [worker.strip() for worker in workers.split(",")]
            index = cluster.own_index(addresses) if index is None else index
        code = run_one(addresses, index, command)
    ctx.exit(code)
