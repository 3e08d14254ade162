"""Chat services: one folder each, all of them behind `core.port.ChatPort`. The core knows none of them."""
