"""A bare Streamlit page, for bench.load: what a click costs where nothing is done with it."""

import streamlit as st

st.title("A page")
st.session_state.clicks = st.session_state.get("clicks", 0) + st.button("Press")
st.write(f"Pressed {st.session_state.clicks} times")
