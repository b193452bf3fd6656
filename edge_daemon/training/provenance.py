"""Where the data and the starting weights come from, for manifest and card."""

from __future__ import annotations

from typing import Final

WEIGHTS: Final = (
    "MobileNetV2 1.0 224, ImageNet (google-coral/test_data @ 104342d2d3,"
    " tf2_mobilenet_v2_1.0_224_ptq.tflite, Apache-2.0, made float), then trained as the data says"
)

SOURCES: Final[dict[str, tuple[str, str]]] = {
    "amos_daynight": ("MIT (repository)", "udacity/CVND_Exercises @ 9f8216c044"),
    "atl_v2_highway": ("CC BY 4.0", "yuskun/object_detected @ aa099629e3"),
    "coco256": (
        "COCO: annotations CC BY 4.0, pictures under Flickr terms",
        "lightly-ai/coco128_yolo @ 6d6f7a059e",
    ),
    "dhaka_road_vehicles": (
        "DbCL 1.0",
        "babaranjitsing/Real-time-Object-Detection-for-Smart-Traffic-Management @ 276f8ddc8d",
    ),
    "dogs_cats": (
        "not stated by the repository",
        "chanakya2734/Image-classification-using-CNN @ bf746c6e53",
    ),
    "highway_5cls": ("CC BY 4.0", "adeirman46/Level2-FSD @ 2c9d3acc6c"),
    "manaus_v5": (
        "CC BY 4.0",
        "tamaturgo/intelligent_transportation_system_ModelML @ 19cc20e7af",
    ),
    "signs_lights_15cls": ("CC BY 4.0", "imsiva0708/trafficSign @ 7e42829013"),
    "tl_cinta_v2": ("CC BY 4.0", "jkworldchampion/traffic_light_detector @ 2c82ecd855"),
    "tl_kr": ("CC BY 4.0", "jkworldchampion/traffic_light_detector @ 2c82ecd855"),
    "tl_rgb_id": ("CC BY 4.0", "nyvee/Pengolahan-Citra @ fc84dce759"),
    "topview_vehicles": (
        "CC BY 4.0",
        "KushanManahara/Dynamic-Traffic-Flow-Analysis-using-YOLOv8 @ 1893a225b7",
    ),
    "vehicles_openimages": ("CC BY 4.0 (Open Images)", "yuskun/object_detected @ aa099629e3"),
    "rendered": ("Apache-2.0", "this project, edge_daemon.scenes"),
}
"""Licence and source (GitHub repository @ commit) of every data set trained on."""
