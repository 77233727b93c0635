"""Read a run and plot it. Run it as a script, or cell by cell in an editor that supports `# %%` cells.

    python docs/examples/plot_a_run.py RUN [RUNS_FOLDER]

It needs matplotlib: pip install 'stoker[export]'.
"""

# %% Open the run. This does not load torch.
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import stoker

name, runs = [*sys.argv[1:], "runs"][:2]
folder = stoker.open_run(name, runs=runs)
history = stoker.RunHistory.read(folder)

# %% The task, its parameters, and the state of the run.
record = folder.record()
print(record.task, record.parameters, f"lr {record.settings['lr']}", f"state {folder.state()}")

# %% The curves: the training loss of every optimizer step, and the metrics of every evaluation.
steps, losses = history.losses
plt.plot(steps, losses, alpha=0.4, label="train loss")
for split, metric in history.metric_names:
    steps, values = history.metric(split, metric)
    plt.plot(steps, values, marker=".", label=f"{split} {metric}")
    print(f"{split} {metric}: {values[-1]:.4f} at step {steps[-1]:,}")
plt.xlabel("step")
plt.legend()
plt.savefig(f"{folder.name}.png")
