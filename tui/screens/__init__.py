"""The screens: dashboard, help, confirm."""
