"""Read a run and plot it. Run it as a script, or cell by cell in a notebook that knows `# %%`.

    python docs/examples/plot_a_run.py RUN [RUNS_FOLDER]

It needs matplotlib: pip install 'stoker[export]'.
"""

# %% Open the run: no torch is loaded for that.
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

import stoker

name, runs = [*sys.argv[1:], "runs"][:2]
folder = stoker.open_run(name, runs=runs)
history = stoker.RunHistory.read(folder)

# %% What was it, and how did it end?
record = folder.record()
print(record.task, record.parameters, f"lr {record.settings['lr']}", f"state {folder.state()}")

# %% The losses: one value each optimizer step for training, one each evaluation for the rest.
steps, losses = history.losses
plt.plot(steps, losses, alpha=0.4, label="train loss")
for split, metric in history.metric_names:
    steps, values = history.metric(split, metric)
    plt.plot(steps, values, marker=".", label=f"{split} {metric}")
    print(f"{split} {metric}: {values[-1]:.4f} at step {steps[-1]:,}")
plt.xlabel("step")
plt.legend()
plt.savefig(f"{folder.name}.png")
