document.body.append("The page is not built yet.");
