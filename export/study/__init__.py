"""User studies: a page on which participants rate films of several models, and the evaluation of their answers.

The procedure is that of section 4.4 of "Sound-guided Semantic Video Generation" (Lee et al., ECCV 2022).
"""
