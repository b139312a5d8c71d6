"""What a load is made of, as data: every figure says where it comes from.

`ASSUMED` marks a figure that nobody publishes; change it here and the report says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ASSUMED = "assumption"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its source."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Weights:
    """How often each of some words is drawn, in whatever unit, and the source."""

    values: Mapping[str, float]
    source: str


INSEE_AGES = "INSEE, census of 2018, POP1B, by five years of age, in thousands"
INSEE_DEPARTMENTS = "INSEE, about 2020, read in a public copy; in thousands, overseas together as 97"
DREES_2025 = "DREES, January 1st, 2025"
DREES_2021 = "DREES, 2021"
DREES_2023 = "DREES, end of 2023"
ENS_2024 = "of 250 million documents in early 2024 (Assurance maladie); the rest is assumed"

POPULATION: Mapping[str, Figure] = {
    "dossiers of the whole country": Figure(
        40e6, "seed 001; smaller populations have fewer professionals in proportion"
    ),
    "dossiers with a treating physician": Figure(0.90, "seed 004"),
    "documents a dossier, mean": Figure(7, "seed 004"),
    "most documents of a dossier": Figure(500, ASSUMED),
    "spread of documents a dossier (sigma of a lognormal)": Figure(1.1, ASSUMED),
    "years that documents go back": Figure(10, ASSUMED),
    "documents masked": Figure(0.03, ASSUMED),
    "documents withheld from the patient": Figure(0.003, ASSUMED),
    "documents hidden from representatives": Figure(0.005, ASSUMED),
    "dossiers whose holder consents to the care team": Figure(0.80, ASSUMED),
    "dossiers with somebody blocked": Figure(0.01, ASSUMED),
    "dossiers with a specialist whom the holder let in": Figure(0.15, ASSUMED),
    "dossiers with a pharmacy that the holder let in": Figure(0.30, ASSUMED),
    "adults with a caregiver": Figure(0.02, ASSUMED),
    "dossiers that refuse break-glass": Figure(0.02, ASSUMED),
    "dossiers that refuse the emergency call centre": Figure(0.01, ASSUMED),
    "dossiers that show masked documents in emergency": Figure(0.10, ASSUMED),
    "general practitioners": Figure(100_000, DREES_2025),
    "specialists in town": Figure(67_200, f"of 137,200 specialists ({DREES_2025}), how many is assumed"),
    "physicians of hospitals": Figure(70_000, f"of 137,200 specialists ({DREES_2025}), how many is assumed"),
    "physicians who regulate emergency calls": Figure(1_500, ASSUMED),
    "nurses in town": Figure(98_600, DREES_2021),
    "nurses of hospitals": Figure(500_300, f"{DREES_2021}, salaried, all taken to be a hospital's"),
    "pharmacists": Figure(74_600, DREES_2025),
    "hospitals": Figure(2_962, DREES_2023),
    "laboratories": Figure(4_000, ASSUMED),
    "pharmacies": Figure(21_425, "Ordre national des pharmaciens, 2020"),
}
"""How the synthetic patients are drawn: shares lie between 0 and 1, the rest are counts."""

AGES = Weights(
    {
        "0": 3747, "5": 4116, "10": 4142, "15": 4129, "20": 3733, "25": 3834, "30": 4058, "35": 4179, "40": 4210,
        "45": 4511, "50": 4471, "55": 4309, "60": 4083, "65": 3940, "70": 3032, "75": 2179, "80": 1884, "85": 1336,
        "90": 645, "95": 193,
    },
    INSEE_AGES,
)  # fmt: skip
"""People by the first of five years of age; centenarians are among the last."""

DEPARTMENTS = Weights(
    {
        "01": 650, "02": 534, "03": 339, "04": 162, "05": 142, "06": 1081, "07": 329, "08": 271, "09": 152, "10": 312,
        "11": 370, "12": 281, "13": 2044, "14": 696, "15": 144, "16": 352, "17": 648, "18": 305, "19": 242, "2A": 160,
        "2B": 178, "21": 537, "22": 599, "23": 119, "24": 413, "25": 541, "26": 516, "27": 610, "28": 434, "29": 911,
        "30": 748, "31": 1388, "32": 191, "33": 1611, "34": 1160, "35": 1074, "36": 219, "37": 611, "38": 1273,
        "39": 259, "40": 412, "41": 333, "42": 762, "43": 227, "44": 1413, "45": 681, "46": 173, "47": 333, "48": 75,
        "49": 821, "50": 497, "51": 573, "52": 175, "53": 306, "54": 733, "55": 187, "56": 754, "57": 1039, "58": 206,
        "59": 2614, "60": 830, "61": 283, "62": 1475, "63": 655, "64": 677, "65": 227, "66": 482, "67": 1125,
        "68": 768, "69": 1878, "70": 234, "71": 553, "72": 567, "73": 434, "74": 830, "75": 2168, "76": 1257,
        "77": 1423, "78": 1438, "79": 376, "80": 570, "81": 392, "82": 263, "83": 1072, "84": 566, "85": 680,
        "86": 438, "87": 374, "88": 365, "89": 338, "90": 144, "91": 1314, "92": 1613, "93": 1646, "94": 1401,
        "95": 1243, "97": 2169,
    },
    INSEE_DEPARTMENTS,
)  # fmt: skip
"""People by department: where they were born, live and are cared for, which is one here."""

DOCUMENTS_BY_AGE = Weights({"0": 0.55, "18": 0.6, "40": 0.9, "60": 1.5, "75": 2.0}, ASSUMED)
"""How many documents people have from an age on, beside one another; the mean of all is that of the figure."""

DOCUMENT_TYPES = Weights(
    {
        "11502-2": 41, "57833-6": 9, "PRESC-BIO": 3, "55115-0": 2, "18748-4": 7, "REMB": 8, "11490-0": 8,
        "34112-3": 5, "11488-4": 6, "15507-7": 2, "60593-1": 2, "60591-5": 1, "DOCPAT01": 6,
    },
    ENS_2024,
)  # fmt: skip
"""All are of types that the matrix opens to physicians, nurses and pharmacists: to whom, is not known here."""

NURSES = Weights({"0": 62, "1": 25, "2": 10, "3": 3}, ASSUMED)
"""How many nurses are in the care team of a dossier."""

HOSPITALS = Weights({"0": 58, "1": 34, "2": 8}, ASSUMED)
"""How many hospitals are."""

MIX: Mapping[str, Figure] = {
    "treating physician": Figure(26, ASSUMED),
    "specialist": Figure(3, ASSUMED),
    "nurse": Figure(20, ASSUMED),
    "pharmacist": Figure(10, ASSUMED),
    "hospital": Figure(6, ASSUMED),
    "laboratory": Figure(1, ASSUMED),
    "patient": Figure(10, ASSUMED),
    "SAMU regulator": Figure(2, ASSUMED),
    "fund": Figure(1, ASSUMED),
    "what-if": Figure(13, ASSUMED),
    "stranger": Figure(6, ASSUMED),
    "insurer": Figure(2, ASSUMED),
}
"""Of a hundred visits, how many are of each persona: national figures of use are published for none of them.

They are chosen so that some 18 documents enter for 300 decisions, which is what is planned for (300 deposits and 5,000
decisions a second at the peak).
"""

VISITS: Mapping[str, Figure] = {
    "documents of a laboratory's batch": Figure(8, ASSUMED),
    "lines of the fund's feed": Figure(50, ASSUMED),
    "decisions of a batch": Figure(50, ASSUMED),
    "bytes of a deposited document, mean": Figure(50_000, ASSUMED),
}
"""How much is asked at once."""

ACCESS: Mapping[str, Figure] = {
    "dossiers that are read most": Figure(
        0.10, "DREES, dépenses de pharmacie en ville en 2017: of 10 % of the patients; taken for what is read in a day"
    ),
    "reads that fall on them": Figure(
        0.66, "DREES, dépenses de pharmacie en ville en 2017: 66 %; taken for what is read in a day"
    ),
}
"""The skew of access: few dossiers make most of a day's reads. Deposits fall on all alike."""

DAY: Sequence[Figure] = tuple(
    Figure(share, ASSUMED)
    for share in (
        *(0.04, 0.03, 0.03, 0.03, 0.03, 0.04, 0.10, 0.30, 0.70, 0.95, 1.00, 0.90),
        *(0.55, 0.50, 0.80, 0.85, 0.85, 0.80, 0.60, 0.30, 0.15, 0.10, 0.06, 0.05),
    )
)
"""The rate at each hour of the day, from midnight, as a share of that at the peak hour."""

STORM: Mapping[str, Figure] = {
    "times the usual rate when everybody's software polls at 8:00": Figure(10, ASSUMED),
    "part of a run that it takes": Figure(1 / 12, ASSUMED),
}

SEEDING: Mapping[str, Figure] = {
    "bytes of disk a dossier": Figure(1_260, "1,221 measured with 40,000,000, and a reserve: loadtests/README.md"),
    "bytes of disk a bucket": Figure(60, "measured with 40,000,000 dossiers, loadtests/README.md"),
}
"""What a seeded population takes, its indexes and the buckets of documents' places included."""

CONTENTS: Mapping[str, Figure] = {
    "median": Figure(90_000, ASSUMED),
    "sigma": Figure(1.3, ASSUMED),
    "least": Figure(1_000, ASSUMED),
    "most": Figure(50_000_000, ASSUMED),
}
"""Bytes of a content, lognormal: half are under 90 kB, 90 % under 0.48 MB, 99 % under 1.9 MB; the mean is 0.21 MB."""
