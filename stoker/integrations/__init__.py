"""Callbacks for trainings of other libraries; each module needs its library: `pip install 'stoker[transformers]'`."""
