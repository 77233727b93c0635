"""The screens, one in each file. They read state and use widgets; they never name the app."""
