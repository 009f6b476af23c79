"""A digital hospital: invented people, and what scanners make of them.

``anatomy.build_anatomy`` makes the one base head; ``cohort.draw_people`` warps, ages and strikes
it into people; ``person.sample`` says what there is at any point of them.
"""
