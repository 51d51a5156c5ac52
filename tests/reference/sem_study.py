"""Write sem_study.csv: the columns of the shipped synthetic study that the study's own models use.

Run from the project root; the file is a snapshot, so that the stored lavaan output stays valid when the study is
drawn anew.
"""

from pathlib import Path

from lib.study.load import load_study

students = load_study().students.query("answered_survey == 'yes'")
scales = [scale.key for scale in load_study().codebook.scales_with("exposure")]
scales += ["env_teacher_expect", "env_social_comparison", "env_peer_learning"]
table = students[[*scales, "grade_math_or_ela", "absences", "grade_prior", "class_id"]].assign(
    female=(students.gender == "female").astype(int),
    ell=(students.ell == "yes").astype(int),
    special_ed=(students.special_ed == "yes").astype(int),
    school_2=(students.school == "school_2").astype(int),
    school_3=(students.school == "school_3").astype(int),
    school_4=(students.school == "school_4").astype(int),
    black=(students.race == "black").astype(int),
    white=(students.race == "white").astype(int),
    race=students.race.astype(str),
)
table.round(4).to_csv(Path(__file__).with_name("sem_study.csv"), index=False)
