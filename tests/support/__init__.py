"""What several tests share. Its assertions tell what they compared, as those of tests do."""

import pytest

pytest.register_assert_rewrite("tests.support.processes", "tests.support.world")
