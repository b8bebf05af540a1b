"""The chain between contact and payment, learnt link by link and made right by payments in total.

Reach is learnt from answers, which are many; conversion from payments through the contact; both only order actions and
people. How much a contact adds is then measured on what was drawn at random, from every payment, whoever claims it
(`lift.py`): people who would have paid anyway use a link too.
"""
