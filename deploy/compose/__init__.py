"""`make up` and `make down`: the containers of docker-compose.yml, with Docker or podman."""
