"""Nothing is lost and nothing runs twice, whatever breaks: engine and clients joined by pipes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from support.examples import examples
from support.resync_model import ResyncModel

WHO = st.integers(0, 5)
COUNT = st.integers(1, 5)
DICE = st.randoms(use_true_random=False)


class ResyncMachine(RuleBasedStateMachine):
    """Every rule is something that a process, its host or its network may do."""

    has_losses = True

    def __init__(self):
        super().__init__()
        self.model = ResyncModel()
        for number in range(5):
            self.model.join(serves=number >= 2).begin_to_call()
        self.model.let_everything_arrive()

    def twin(self, who):
        return self.model.twins[who % len(self.model.twins)]

    @rule(who=WHO, count=COUNT)
    def dispatch(self, who, count):
        for _ in range(count):
            self.twin(who).dispatch()

    @rule(who=WHO, count=COUNT)
    def proxy_reads(self, who, count):
        self.model.proxy_reads(self.twin(who), count)

    @rule(who=WHO, count=COUNT)
    def client_reads(self, who, count):
        self.twin(who).read(count)

    @rule(who=WHO, settles=st.booleans(), dice=DICE)
    def work(self, who, settles, dice):
        twin = self.twin(who)
        if twin.held:
            twin.say(dice.choice(list(twin.held)), settles)

    @rule(who=WHO, dice=DICE)
    def cancel(self, who, dice):
        twin = self.twin(who)
        open_ones = [each.task for each in twin.tasks.values() if not each.outcomes]
        if open_ones:
            twin.cancel(dice.choice(open_ones))

    @rule(who=WHO)
    def disconnect(self, who):
        self.twin(who).disconnect()

    @rule(who=WHO, is_told=st.booleans())
    def reconnect(self, who, is_told):
        self.twin(who).connect()
        if is_told:
            self.twin(who).learn_of_disconnection()

    @rule(who=WHO)
    def tell_of_the_disconnection(self, who):
        self.twin(who).learn_of_disconnection()

    @rule(is_quick=st.booleans())
    def restart(self, is_quick):
        self.model.restart()
        if is_quick:
            for twin in self.model.twins:
                twin.connect()

    @rule()
    def everyone_is_back(self):
        for twin in self.model.twins:
            if not twin.connection:
                twin.connect()
        self.model.let_everything_arrive()

    @rule(who=WHO)
    def kill(self, who):
        if self.has_losses and len(self.model.twins) > 3:
            self.model.kill(self.twin(who))

    @rule(serves=st.booleans())
    def join(self, serves):
        if len(self.model.twins) < 6:
            self.model.join(serves)

    @rule(step_s=st.sampled_from([0.1, 0.1, 0.1, 0.5, 2.0]))
    def time_passes(self, step_s):
        if self.has_losses:
            self.model.time_passes(step_s)

    @rule(who=WHO, is_full=st.booleans())
    def queue_for_replies(self, who, is_full):
        self.twin(who).is_full = is_full

    @rule(who=WHO)
    def remind(self, who):
        self.twin(who).perform(self.twin(who).link.hello_again())

    @rule(who=WHO)
    def say_it_in_fewer_messages(self, who):
        self.twin(who).merge_pages()

    @rule(who=WHO)
    def leave_and_come_back(self, who):
        """A process says GOODBYE between two ticks, and another takes its place."""
        if self.has_losses and len(self.model.twins) > 3:
            self.model.leave(self.twin(who))
            self.model.join(serves=True)

    @invariant()
    def loads_are_what_the_ledger_says(self):
        self.model.check_loads()

    def teardown(self):
        model = self.model
        model.be_quiet()
        model.check_end()
        if not self.has_losses:
            ends = {
                (each.outcomes[0], each.runs)
                for each in model.tasks.values()
                if not each.is_excused
            }
            never_run = {("cancelled", 0), ("bounce no_route", 0), ("bounce busy", 0)}
            assert ends <= {("reply", 1), ("cancelled", 1)} | never_run
        model.check_empty()


class SurvivingMachine(ResyncMachine):
    """The same while every process lives and is back in time: then every task is answered."""

    has_losses = False


ResyncMachine.TestCase.settings = settings(max_examples=examples(400), stateful_step_count=50)
SurvivingMachine.TestCase.settings = settings(max_examples=examples(400), stateful_step_count=50)
TestResync = ResyncMachine.TestCase
TestResyncOfSurvivors = SurvivingMachine.TestCase
