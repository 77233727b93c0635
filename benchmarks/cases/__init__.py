"""One benchmark a file: `main(arguments)` takes its command-line options and returns its figures."""
