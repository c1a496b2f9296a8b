"""Events: topics, subscriptions, retained events and replay. Spec 06."""
