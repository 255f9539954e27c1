"""What every answer has, whatever route gives it and however it fails: ASGI middleware, which passes streams on as they come."""
