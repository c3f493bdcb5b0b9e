"""A bare Streamlit page, for bench.load: what a click costs where nothing is done with it.

`streamlit run bench/bare.py -- 60` draws as many elements more as a page of MedML has, with nothing behind them: a line
of words, and every fourth time a button, a switch or a link.
"""

import sys

import streamlit as st

st.title("A page")
st.session_state.clicks = st.session_state.get("clicks", 0) + st.button("Press")
st.write(f"Pressed {st.session_state.clicks} times")
ACTS = (lambda label: st.button(label), lambda label: st.checkbox(label), lambda label: st.link_button(label, "/"))
for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
    if number % 4 < 3:
        st.html(f"<p>Line {number}</p>")
    else:
        ACTS[number // 4 % 3](f"Act {number}")
