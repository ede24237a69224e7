"""What a folder of images means: which are of which class, to train on or held out."""
