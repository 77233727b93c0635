"""The widgets: panels, plots and tables. They read state and know no screen."""
