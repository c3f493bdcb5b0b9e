"""What a page may know of backbones without loading torch: their names, titles and work."""

from __future__ import annotations

ALIKE = 0.5  # mean rank correlation with heatmaps of shuffled weights above which heatmaps mean nothing
SMALL = "small"  # our own, for thumbnails and no weights
BACKBONES: dict[str, str] = {
    "small": "Small network (for thumbnails)",
    "mobilenet_v2": "MobileNet V2 (quick)",
    "mobilenet_v3_small": "MobileNet V3 small (quickest)",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50 (slow)",
    "densenet121": "DenseNet-121 (slow)",
    "efficientnet_b0": "EfficientNet B0",
}
WIDTH: dict[str, int] = {"small": 128, "mobilenet_v2": 1280, "mobilenet_v3_small": 576, "resnet18": 512,
                         "resnet50": 2048, "densenet121": 1024, "efficientnet_b0": 1280}  # of the last feature map
# 1e9 multiply-adds for a picture of 224 x 224 (torchvision's tables; ours counted)
WORK: dict[str, float] = {"small": 1.9, "mobilenet_v2": 0.31, "mobilenet_v3_small": 0.06, "resnet18": 1.82,
                          "resnet50": 4.11, "densenet121": 2.87, "efficientnet_b0": 0.40}
