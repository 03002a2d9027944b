"""What proposed rules would change: the losses of the last days decided anew, and whoever waits now judged anew."""
