"""Networks: classifiers, encoder, generator, discriminator, and the loss terms they share."""
