"""python -m poseformer_lite: the command line, as `accelerate launch -m poseformer_lite train` wants it."""

from poseformer_lite.cli import main

if __name__ == "__main__":
    main()
