"""A siren of our own sent through everything, and the alert it has to bring, waited for as another client would."""
