"""The end of a NATS micro service, without the loss of what was asked of it."""

from nats.micro.service import Service


async def stop(service: Service) -> None:
    """Take no more requests; returns once those that have come were handed to their handlers. Raises `NatsError`.

    nats-py's own way drops those that have come and that nobody has looked at yet.
    """
    endpoints, service._endpoints = service._endpoints, []
    for each in endpoints:
        if each._subscription is not None:
            await each._subscription.drain()
    await service.stop()
