"""How Parley is run: on one machine (`deploy.local`), with containers, on Kubernetes."""
