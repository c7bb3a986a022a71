"""`python -m services.gateway` serves."""

from runtime import process
from services.gateway.app import serve
from services.gateway.settings import GatewaySettings

if __name__ == "__main__":
    process.run("gateway", GatewaySettings, serve)
