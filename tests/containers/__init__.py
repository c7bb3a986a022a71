"""The containers, run by podman: docker-compose.yml and the manifests. `make test-containers`, not `make test`."""
