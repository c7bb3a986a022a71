"""Tests of deploy/k8s, without a cluster: what kustomize renders is checked by schemas and by rules."""
