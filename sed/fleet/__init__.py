"""A fleet of boxes: what they tell over MQTT, gathered in one database."""
